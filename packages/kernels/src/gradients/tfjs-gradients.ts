// The one deep import of tfjs: it resolves in vite and esbuild, not in plain Node, so dist/ has it bundled. tfjs's registries
// live on globalThis, hence a bundled copy registers for every copy of tfjs-core in the program. A bundler for browsers is
// sent to tfjs-core itself by "imports" in package.json, as a page needs no copy.
import '@tensorflow/tfjs-core/dist/register_all_gradients';
