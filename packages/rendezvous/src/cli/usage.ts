import { RendezvousError } from "../errors.js";

/** A parser for an option that may be repeated: commander's variadic options would swallow what stands behind them. */
export function repeatable(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** A parser for an option of which the second would contradict the first. */
export function once(option: string): (value: string, previous: string | undefined) => string {
  return (value, previous) => {
    if (previous !== undefined) throw new RendezvousError("bad-option", `${option} is given twice`);
    return value;
  };
}

/** Commander's message about a command line that it cannot read, which may have a suggestion on a second line. */
export function oneLine(program: string, message: string): string {
  return `${program}: ${message
    .replace(/^error: /, "")
    .trim()
    .replaceAll("\n", " ")}\n`;
}
