// What the page's readers make of files: node read_files.mjs FOLDER FILE...
// Writes the pixels of each file's first picture into FOLDER, and a line of JSON about them.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { dtypeOf } from "../../web/src/files/image.js";
import { readFile } from "../../web/src/files/read.js";

const [folder, ...files] = process.argv.slice(2);
files.forEach((path, number) => {
  try {
    const { pictures, sha256 } = readFile(basename(path), new Uint8Array(readFileSync(path)));
    const [{ pixels, ...picture }] = pictures;
    writeFileSync(join(folder, String(number)), pixels);
    console.log(JSON.stringify({ ...picture, dtype: dtypeOf(pixels), sha256, pictures: pictures.length }));
  } catch (error) {
    console.log(JSON.stringify({ problem: error.message }));
  }
});
