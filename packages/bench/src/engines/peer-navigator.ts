// The one place that defines navigator.gpu: tfjs-backend-webgpu's constructor throws without it. It is called in the peer's
// process and nowhere else; the object is empty, as the backend is handed its device.

export function defineNavigatorForPeer(): void {
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: {} }, configurable: true });
}
