/** What the demo says, to a person. */
const COLOR = process.stdout.isTTY && !process.env.NO_COLOR;

export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

export function strong(text: string): string {
  return COLOR ? `\u001b[1m${text}\u001b[0m` : text;
}

export function faint(text: string): string {
  return COLOR ? `\u001b[2m${text}\u001b[0m` : text;
}

/** Prints rows as they come, in columns of fixed width. */
export function columns(...widths: number[]): (...cells: string[]) => string {
  return (...cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
}

export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}
