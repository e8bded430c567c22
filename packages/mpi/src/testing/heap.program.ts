// A rank whose heap is used to its last byte and cannot grow, as where V8 has put its code at the heap's end: prints by how many
// bytes opening MPI cut it.
import koffi from 'koffi';
import { openGroup } from '../index.ts';

// Of mman.h of Linux.
const PROT_NONE = 0;
const MAP_PRIVATE = 0x2;
const MAP_ANONYMOUS = 0x20;
const MAP_FIXED_NOREPLACE = 0x100000;
const PAGE_BYTES = 4096;

// As openGroup would, had nothing been loaded before it.
koffi.config({ ...koffi.config(), async_stack_size: 8 * 2 ** 20 });
const libc = koffi.load('libc.so.6');
const sbrk = libc.func('sbrk', 'intptr_t', ['intptr_t']);
const mmap = libc.func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'long']);
const malloc = libc.func('malloc', 'intptr_t', ['size_t']);
const heapEnd = (): number => Number(sbrk(0));

const end = heapEnd();
mmap(end, PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
if (Number(sbrk(PAGE_BYTES)) !== -1) throw new Error('the heap can still grow');
// What is allocated elsewhere no longer fits into the heap.
while (Number(malloc(1024)) < end);

const group = await openGroup();
if (!group) throw new Error('no launcher was found');
process.stdout.write(JSON.stringify({ cut: end - heapEnd() }));
await group.close();
