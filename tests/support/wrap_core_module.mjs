// Core modules to components:
//   node wrap_core_module.mjs command CORE OUTPUT
//   node wrap_core_module.mjs reactor CORE OUTPUT WIT WORLD
// The WIT is one file, because jco under Node 20 takes no folders.
import { readFile, writeFile } from "node:fs/promises";
import {
  componentEmbed,
  componentNew,
  preview1AdapterCommandPath,
  preview1AdapterReactorPath,
} from "@bytecodealliance/jco";

const [kind, core, output, wit, world] = process.argv.slice(2);

let binary = await readFile(core);
let adapter = preview1AdapterCommandPath;
if (kind === "reactor") {
  adapter = preview1AdapterReactorPath;
  const witSource = await readFile(wit, "utf8");
  binary = await componentEmbed({ binary, witSource, world, dummy: false });
}
const adapters = [["wasi_snapshot_preview1", await readFile(adapter())]];
await writeFile(output, await componentNew(binary, adapters));
