/*
 * duckdb.mjs FOLDER FILE
 *		Brings the records of a JSON file into a table of DuckDB, in memory, with two
 *		threads, and prints the milliseconds that took, the rows, and DuckDB's version.
 *
 * The package is looked for below FOLDER, where the benchmark has installed it: this
 * file lies in a tree that has no dependencies and gets none.  Starting node and DuckDB
 * is not timed; a session of the server is not started on the clock either.
 */
import { createRequire } from "node:module";

const [folder, file] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(`${folder}/`)("@duckdb/node-api");
const database = await DuckDBInstance.create(":memory:", { threads: "2" });
const session = await database.connect();

const start = performance.now();
await session.run(`CREATE TABLE products AS SELECT * FROM read_json_auto('${file}')`);
const took = performance.now() - start;

const reader = await session.runAndReadAll("SELECT count(*)::VARCHAR, version() FROM products");
console.log(took.toFixed(1), ...reader.getRows()[0]);
