// A download in a process of its own: node download.program.js <url> <destination> <md5>
import { download } from '../node/download.ts';

const [url = '', destination = '', md5 = ''] = process.argv.slice(2);
await download(url, destination, { md5 });
console.log('done');
