// The worker that reads files.
import { readFile } from "./files/read.js";
import { serve } from "./remote.js";

serve({
  read: (_, /** @type {string} */ name, /** @type {ArrayBuffer} */ bytes) =>
    readFile(name, new Uint8Array(bytes)),
});
