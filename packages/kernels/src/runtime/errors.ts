/** Errors of the runtime, one class per situation; each message says what to do next. */
export class ThawGpuError extends Error {
  override readonly name: string = 'ThawGpuError';
}

/** The device went away (driver reset, destroy(), unplugged). Every pending and later read rejects with this. */
export class DeviceLostError extends ThawGpuError {
  override readonly name = 'DeviceLostError';
  constructor(reason: string, message: string) {
    super(
      `the WebGPU device was lost (${reason || 'unknown'}): ${message || 'no message'}. ` +
        'Open a new device and resume from the last checkpoint.',
    );
  }
}

/** The device has no memory left for what was asked of it. */
export class OutOfMemoryError extends ThawGpuError {
  /** Of the class. */
  override readonly name = 'OutOfMemoryError';
  /** @param bytes of the buffer that did not fit */
  constructor(bytes: number, reason: string) {
    super(
      `the device has no memory for another ${bytes.toLocaleString('en')} bytes (${reason}); use a smaller batch or image`,
    );
  }
}

/** No WebGPU adapter was found; the message says how to get one on this platform. */
export class NoAdapterError extends Error {
  override readonly name = 'NoAdapterError';
}

/** The backend was disposed: by dispose(), tf.removeBackend(), or a register() that put another in its place. */
export class DisposedError extends ThawGpuError {
  override readonly name = 'DisposedError';
  constructor() {
    super(
      'this thaw backend was disposed, and the tensors on it with it: register(device) makes another, for new tensors',
    );
  }
}

/** A shader did not compile. */
export class ShaderError extends ThawGpuError {
  override readonly name = 'ShaderError';
}

/** Synchronous reads cannot wait for a GPU. */
export class NotOnGpuError extends ThawGpuError {
  override readonly name = 'NotOnGpuError';
  constructor() {
    super(
      'the thaw backend reads asynchronously: write `await tensor.data()`, not `tensor.dataSync()`; and so before a tensor of ' +
        'this backend is used on another one, which asks for the values at once',
    );
  }
}
