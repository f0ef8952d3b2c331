// A check of the client under Pyodide's CPython, in Node: client_in_pyodide.mjs CLIENT CHECK STUB
// STUB is the library of client_stub.c, as a side module of Emscripten.
import { readFileSync } from "node:fs";

import { loadPyodide } from "../../web/node_modules/pyodide/pyodide.mjs";

const [client, check, stub] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdir("/check");
python.FS.writeFile("/check/stemzoo_client.py", readFileSync(client));
python.FS.writeFile("/check/check.py", readFileSync(check));
python.FS.writeFile("/check/stub.so", readFileSync(stub));
python.runPython(`
import runpy, sys, warnings

warnings.simplefilter("error")
sys.path.insert(0, "/check")
sys.argv = ["check.py", "/check/stub.so"]
runpy.run_path("/check/check.py", run_name="__main__")
`);
