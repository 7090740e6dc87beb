/*
 * duckdb_queries.mjs FOLDER DATABASE CSV COPIES
 *		Answers queries on a DuckDB database in a file, with two threads.
 *
 * The database is made anew, with the records of the CSV file that many times.  Then each
 * line of standard input is executed, the milliseconds are printed, and "done" is printed
 * when the database is there.  FOLDER is where the package is installed.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, file, csv, copies] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(`${folder}/`)("@duckdb/node-api");
const database = await DuckDBInstance.create(file, { threads: "2" });
const session = await database.connect();

await session.run("SET timezone = 'UTC'");
await session.run(`CREATE TABLE products AS SELECT p.* REPLACE (id + 1000000 * n AS id,
	'SKU-' || lpad((id + 1000000 * n)::VARCHAR, 8, '0') AS sku)
	FROM range(${copies}) r(n), read_csv('${csv}', types = {'updated_at': 'TIMESTAMPTZ'}) p`);
await session.run("CREATE TABLE categories AS SELECT DISTINCT category, 'region ' || length(category) AS region FROM products");
await session.run("CHECKPOINT");
console.log("done");
for await (const line of createInterface({ input: process.stdin })) {
	const start = performance.now();
	const reader = await session.runAndReadAll(line);
	reader.getRows();
	console.log((performance.now() - start).toFixed(3));
}
