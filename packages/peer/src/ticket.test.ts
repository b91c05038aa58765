import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalServer, decodeTicket, encodeTicket, type Ticket } from "./ticket.js";
import { encodeWord } from "./ticket-word.js";

const TICKET: Ticket = { servers: ["ws://203.0.113.1:3478"], key: new Uint8Array(32).fill(7), secret: new Uint8Array(16).fill(9) };

const server = fc
  .record({
    secure: fc.boolean(),
    host: fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.constant("bücher.example"),
    ),
    port: fc.option(fc.integer({ min: 1, max: 65_535 })),
    path: fc.oneof(fc.constant(""), fc.webPath()),
    query: fc.option(fc.webQueryParameters()),
  })
  .map(({ secure, host, port, path, query }) => {
    return `${secure ? "wss" : "ws"}://${host}${port === null ? "" : `:${port}`}${path}${query === null ? "" : `${path ? "" : "/"}?${query}`}`;
  });
const ticket: fc.Arbitrary<Ticket> = fc.record({
  servers: fc.array(server, { minLength: 1, maxLength: 8 }),
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  secret: fc.uint8Array({ minLength: 16, maxLength: 16 }),
});
/** Words that fit: eight long URLs may not. */
const word = ticket.filter(({ servers }) => servers.join("").length < 1_000).map(encodeTicket);

test("is one short word of letters and digits", () => {
  expect(encodeTicket(TICKET)).toMatch(/^awl1[a-z2-7]+$/);
  expect(encodeTicket(TICKET)).toHaveLength(123);
});

test("stays what it is: version 1", () => {
  const fixed = { servers: ["ws://203.0.113.1:3478", "wss://r.example/awl?x=1"], key: TICKET.key, secret: TICKET.secret };
  expect(encodeTicket(fixed)).toMatchInlineSnapshot(
    `"awl1abljsbyha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyhbeeqscijbeeqscijbeeqscijbebaaebsgazs4mbogeytglrrhiztinzyqaixeltfpbqw24dmmuxwc53mh54d2mkoujap2"`,
  );
});

test("round trip", () => {
  fc.assert(
    fc.property(ticket, (original) => {
      fc.pre(original.servers.join("").length < 1_000);
      const canonical = { ...original, servers: original.servers.map((url) => canonicalServer(url)) };
      expect(decodeTicket(encodeTicket(original))).toEqual(canonical);
      expect(decodeTicket(encodeTicket(decodeTicket(encodeTicket(original))))).toEqual(canonical);
    }),
  );
});

test.each([
  ["ws://203.0.113.1:3478", "ws://203.0.113.1:3478"],
  ["wss://r.example", "wss://r.example"],
  ["wss://r.example/", "wss://r.example"],
  ["wss://r.example:443/?", "wss://r.example"],
  ["WSS://R.Example/Path/", "wss://r.example/Path/"],
  ["ws://[2001:DB8::1]:3478/a?b=/", "ws://[2001:db8::1]:3478/a?b=/"],
  ["ws://user:pass@h", "ws://user:pass@h"],
])("server %s is carried as %s", (given, carried) => {
  expect(decodeTicket(encodeTicket({ ...TICKET, servers: [given] })).servers).toEqual([carried]);
});

test.each(["http://h", "ws://", "h:1", "ws://h/#part", "ws://h#", ""])("no server: %s", (url) => {
  expect(() => encodeTicket({ ...TICKET, servers: [url] })).toThrow(expect.objectContaining({ name: "PeerError", code: "usage" }));
});

test("too many, too few, too long servers", () => {
  const usage = expect.objectContaining({ code: "usage" });
  expect(() => encodeTicket({ ...TICKET, servers: [] })).toThrow(usage);
  expect(() => encodeTicket({ ...TICKET, servers: Array(9).fill("ws://h") })).toThrow(usage);
  expect(() => encodeTicket({ ...TICKET, servers: [`ws://h/${"x".repeat(2_000)}`] })).toThrow(usage);
  expect(() => encodeTicket({ ...TICKET, servers: [`ws://h/${"x".repeat(40_000)}`] })).toThrow(usage);
});

test("tolerates white space around it, and upper case", () => {
  const text = encodeTicket(TICKET);
  expect(decodeTicket(` \n\t${text.toUpperCase()}\r\n`)).toEqual(TICKET);
});

describe("a damaged ticket", () => {
  const problem = (text: string): string => {
    try {
      decodeTicket(text);
    } catch (error) {
      expect(error).toMatchObject({ name: "PeerError", code: "bad-ticket" });
      return (error as Error).message;
    }
    return "none";
  };
  const TYPO = "the ticket has a typo";
  const CUT = "the ticket is cut short: copy all of it";
  const FOREIGN = "this is no ticket: a ticket is one word that begins with awl1";
  const NEWER = "the ticket needs a newer Awl";
  const CHARACTERS = [..."abcdefghijklmnopqrstuvwxyz0123456789-_."];

  test("every substitution of one character, everywhere in one ticket", () => {
    const text = encodeTicket(TICKET);
    const wrong = [...text].flatMap((original, i) =>
      CHARACTERS.filter((c) => c !== original).flatMap((c) => {
        const found = problem(text.slice(0, i) + c + text.slice(i + 1));
        return found === TYPO ? [] : [`${i} ${original} ${c}: ${found}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("every transposition of neighbours, everywhere in one ticket", () => {
    const text = encodeTicket({ ...TICKET, key: Uint8Array.from({ length: 32 }, (_, i) => i * 7) });
    for (let i = 0; i + 1 < text.length; i++) {
      const swapped = text.slice(0, i) + text.charAt(i + 1) + text.charAt(i) + text.slice(i + 2);
      if (swapped !== text) expect(problem(swapped), String(i)).toBe(TYPO);
    }
  });

  test("every truncation of one ticket", () => {
    const text = encodeTicket(TICKET);
    for (let length = 4; length < text.length; length++) expect(problem(text.slice(0, length))).toBe(CUT);
    for (let length = 0; length < 3; length++) expect(problem(text.slice(0, length))).toBe(FOREIGN);
  });

  test("substitution, transposition, truncation, insertion, in any ticket", () => {
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom(...CHARACTERS), (text, at, c) => {
        const i = at % text.length;
        const damaged = [
          text.slice(0, i) + c + text.slice(i + 1),
          text.slice(0, i) + c + text.slice(i),
          text.slice(0, i) + text.charAt(i + 1) + text.charAt(i) + text.slice(i + 2),
          text.slice(0, i),
          text.slice(i + 1),
          text.slice(0, i) + text.slice(i + 1),
        ];
        for (const changed of damaged) if (changed !== text) expect(problem(changed)).not.toBe("none");
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["", FOREIGN],
    ["hello", FOREIGN],
    ["ws://203.0.113.1:3478", FOREIGN],
    ["awlkey1aaaaaaaaaa", FOREIGN],
    ["x".repeat(100_000), FOREIGN],
    [`awl2${encodeTicket(TICKET).slice(5)}`, NEWER],
    ["awl9whatever-it-may-be", NEWER],
    [`awl2${encodeTicket(TICKET).slice(4)}`, TYPO],
    [`${encodeTicket(TICKET)}a`, TYPO],
    [`${encodeTicket(TICKET)} ${encodeTicket(TICKET)}`, TYPO],
  ])("wrong word %#", (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  test("any text at all", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: "binary" }),
          fc.base64String().map((s) => `awl1${s}`),
        ),
        (text) => {
          expect(problem(text)).not.toBe("none");
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("a checksum that fits is no proof of the content", () => {
    const malformed = "the ticket is malformed: its checksum fits, its content does not";
    const forge = (...servers: readonly (readonly number[])[]) =>
      encodeWord(
        "awl1",
        Buffer.concat([TICKET.key, TICKET.secret, Buffer.of(servers.length), ...servers.map((bytes) => Buffer.from(bytes))]),
      );
    expect(problem(forge([0, 1, 0x68]))).toBe("none");
    expect(problem(encodeWord("awl1", new Uint8Array(0)))).toBe(malformed);
    expect(problem(forge())).toBe(malformed);
    expect(problem(forge([0]))).toBe(malformed);
    expect(problem(forge([0, 2, 0x68]))).toBe(malformed);
    expect(problem(forge([0, 1, 0x68, 0]))).toBe(malformed);
    expect(problem(forge([0, 1, 0x48]))).toBe(malformed);
    expect(problem(forge([0, 1, 0xff]))).toBe(malformed);
    expect(problem(forge(...Array(9).fill([0, 1, 0x68])))).toBe(malformed);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (payload) => {
        problem(encodeWord("awl1", payload));
      }),
    );
  });
});
