// LiteRT.js as one module: it imports another package, and doesn't say its version.
export * from "@litertjs/core";
export { version } from "@litertjs/core/package.json";
