/** Prints the set-up of one box: `node box-main.js nat-a`, with NAT_A and NAT_B in the environment. */
import { type BoxName, kindsFrom, setUp } from "./box.js";

try {
  process.stdout.write(setUp(process.argv[2] as BoxName, kindsFrom(process.env)));
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
