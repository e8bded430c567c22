// A promise that a test settles by hand (Promise.withResolvers is not in Node 20).
export interface Gate {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

export function gate(): Gate {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => undefined, () => undefined];
  const promise = new Promise<void>((done, failed) => {
    [resolve, reject] = [done, failed];
  });
  return { promise, resolve, reject };
}
