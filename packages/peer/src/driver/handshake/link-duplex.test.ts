import { expect, test } from "vitest";
import { linkDuplex } from "./link-duplex.js";

test("carries bytes both ways, in pieces that the link can take, in memory of their own", () => {
  const written: Uint8Array[] = [];
  const { duplex, push } = linkDuplex({ write: (bytes) => written.push(bytes), maxFrame: 4 });
  const chunk = Buffer.from("hello world");
  duplex.write(chunk);
  chunk.fill(0);
  expect(written.map((bytes) => Buffer.from(bytes).toString())).toEqual(["hell", "o wo", "rld"]);
  push(Buffer.from("answer"));
  expect(duplex.read().toString()).toBe("answer");
});

test("ends, once, and then takes nothing more", async () => {
  let closed = 0;
  const link = linkDuplex({ write() {}, onClose: () => closed++ });
  link.end();
  link.end();
  link.push(Buffer.from("late"));
  link.duplex.resume().end();
  await expect.poll(() => closed).toBe(1);
  link.push(Buffer.from("later"));
  link.end(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
  expect([closed, link.duplex.errored]).toEqual([1, null]);
});

test("an error ends it, and the process goes on", async () => {
  const link = linkDuplex({ write() {} });
  link.end(new Error("broken"));
  await expect.poll(() => link.duplex.closed).toBe(true);
  expect(link.duplex.errored).toMatchObject({ message: "broken" });
});

test("a link that throws is a broken one", async () => {
  const link = linkDuplex({
    write() {
      throw new Error("not connected");
    },
  });
  link.duplex.write("x");
  await expect.poll(() => link.duplex.errored).toMatchObject({ message: "not connected" });
});

test("holds only so much that nobody reads", async () => {
  const link = linkDuplex({ write() {}, maxBuffered: 100 });
  link.push(new Uint8Array(100));
  expect(link.duplex.destroyed).toBe(false);
  link.push(new Uint8Array(1));
  await expect.poll(() => link.duplex.errored).toMatchObject({ name: "PeerError", code: "channel-lost" });
});
