// TensorFlow.js's WebGL backend as an engine, in a browser.
import { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';

/** @returns also the name of what draws, as the driver gives it */
export async function webglEngine(): Promise<{ engine: Engine; renderer: string }> {
  // Its reads look for finished work with timers, of which a browser lets four milliseconds pass; this makes them as fast as messages.
  tf.env().set('USE_SETTIMEOUTCUSTOM', true);
  if (!(await tf.setBackend('webgl'))) throw new Error('the webgl backend of TensorFlow.js did not start');
  const backend = tf.backend();
  if (!(backend instanceof MathBackendWebGL)) throw new Error('the backend named webgl is not TensorFlow.js’s own');
  const { gpgpu } = backend;
  const { gl } = gpgpu;
  if (!(gl instanceof WebGL2RenderingContext)) throw new Error('this browser has WebGL 1 only; WebGL 2 is needed');
  const finish = finisher(gl);
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer: unknown = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  const engine: Engine = {
    name: 'tfjs-webgl',
    backend: 'webgl',
    use: async () => {
      if (!(await tf.setBackend('webgl'))) throw new Error('The webgl backend of TensorFlow.js did not start.');
    },
    settle: async (inFlight) => {
      if (inFlight > 0) return gl.flush();
      finish();
      const error = gl.getError();
      if (error !== gl.NO_ERROR) throw new Error(`tfjs-webgl: WebGL error 0x${error.toString(16)}`);
    },
    dispatches: () => undefined,
    peakBytes: () => undefined,
    resetPeak: () => undefined,
    close: () => backend.dispose(),
  };
  return { engine, renderer: String(renderer) };
}

/**
 * Waits until all drawing is done: `gl.finish()` does not in a browser, but reading a pixel that is drawn last does. The pixel
 * is in a framebuffer of its own, and what TensorFlow.js had bound is bound again.
 */
function finisher(gl: WebGL2RenderingContext): () => void {
  const framebuffer = gl.createFramebuffer();
  const target = gl.createRenderbuffer();
  const before = gl.getParameter(gl.FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
  gl.bindRenderbuffer(gl.RENDERBUFFER, target);
  gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, 1, 1);
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, target);
  gl.bindFramebuffer(gl.FRAMEBUFFER, before);
  const pixel = new Uint8Array(4);
  return () => {
    const bound = gl.getParameter(gl.FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    gl.clearBufferfv(gl.COLOR, 0, [1, 0, 0, 1]);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    gl.bindFramebuffer(gl.FRAMEBUFFER, bound);
  };
}
