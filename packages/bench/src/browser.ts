// @thaw/bench/browser: a headless Chromium and the server of its pages, for the benchmark and for the project's own tests.
export { BrowserError, launchOptions, withPage, type DriveOptions } from './browser/drive.ts';
export { findBrowser, NoBrowserError } from './browser/find.ts';
export { GRAPHICS, graphicsFlags, resolveGraphics, type Graphics } from './browser/graphics.ts';
export { serve, type Served, type Site } from './browser/serve.ts';
