// The command itself, for tests that start it in a process of its own.
import '../thaw.ts';
