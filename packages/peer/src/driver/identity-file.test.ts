import { spawnSync } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultIdentityPath, ephemeralIdentity, loadOrCreateIdentity, rotateSecret } from "./identity-file.js";

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "awl-identity-"));
  file = join(dir, "deep", "er", "identity.json");
});
afterEach(() => rm(dir, { recursive: true }));

const mode = async (path: string) => (await stat(path)).mode & 0o777;

test("is made once, for its owner alone, and kept", async () => {
  const { identity, secret } = await loadOrCreateIdentity(file);
  expect([await mode(file), await mode(join(dir, "deep")), await mode(join(dir, "deep", "er"))]).toEqual([0o600, 0o700, 0o700]);
  const again = await loadOrCreateIdentity(file);
  expect([again.identity.publicKey, again.secret]).toEqual([identity.publicKey, secret]);
  expect(await readdir(join(dir, "deep", "er"))).toEqual(["identity.json"]);
});

test("many who make it at once get the same", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateIdentity(file)));
  expect(new Set(all.map(({ identity, secret }) => Buffer.concat([identity.publicKey, secret]).toString("hex"))).size).toBe(1);
  expect(await readdir(join(dir, "deep", "er"))).toEqual(["identity.json"]);
});

test("a rotation changes the secret, not the key", async () => {
  const before = await loadOrCreateIdentity(file);
  const rotated = await rotateSecret(file);
  expect(rotated.identity.publicKey).toEqual(before.identity.publicKey);
  expect(rotated.secret).not.toEqual(before.secret);
  expect((await loadOrCreateIdentity(file)).secret).toEqual(rotated.secret);
  expect([await mode(file), await readdir(join(dir, "deep", "er"))]).toEqual([0o600, ["identity.json"]]);
});

test("a rotation makes the file if there is none, and follows a link to it", async () => {
  const { identity } = await rotateSecret(file);
  const alias = join(dir, "alias.json");
  await symlink(file, alias);
  const { secret } = await rotateSecret(alias);
  expect((await lstat(alias)).isSymbolicLink()).toBe(true);
  const kept = await loadOrCreateIdentity(file);
  expect([kept.identity.publicKey, kept.secret]).toEqual([identity.publicKey, secret]);
});

test("without a file every identity is another", () => {
  const [a, b] = [ephemeralIdentity(), ephemeralIdentity()];
  expect(a.identity.publicKey).not.toEqual(b.identity.publicKey);
  expect(a.secret).not.toEqual(b.secret);
});

describe("one line says what is wrong", () => {
  const refusal = (message: string) => ({ name: "PeerError", code: "bad-identity-file", message });

  test.each([
    ["hello", "is not an Awl identity"],
    ['{"awlIdentity":2}', "was written by a newer Awl"],
    ['{"awlIdentity":1,"seed":""}', "is damaged: it is an Awl identity without a proper seed and secret"],
    [" ".repeat(10_000_000), "is not an Awl identity"],
  ])("content %#", async (content, message) => {
    const path = join(dir, "x.json");
    await writeFile(path, content, { mode: 0o600 });
    await expect(loadOrCreateIdentity(path)).rejects.toMatchObject(refusal(`${path} ${message}`));
    await expect(rotateSecret(path)).rejects.toMatchObject(refusal(`${path} ${message}`));
    expect(await readFile(path, "utf8")).toBe(content);
  });

  test("open to other users", async () => {
    await loadOrCreateIdentity(file);
    await chmod(file, 0o640);
    const message = `${file} is open to other users: chmod 600 it, or make a new identity if they are not trusted`;
    await expect(loadOrCreateIdentity(file)).rejects.toMatchObject(refusal(message));
  });

  test("a directory, a path through a file, a pipe", async () => {
    await mkdir(join(dir, "d"), { mode: 0o700 });
    await expect(loadOrCreateIdentity(join(dir, "d"))).rejects.toMatchObject(refusal(`${join(dir, "d")} is not a file`));
    await loadOrCreateIdentity(file);
    const through = join(file, "x");
    await expect(loadOrCreateIdentity(through)).rejects.toMatchObject(
      refusal(`cannot use ${through}: a part of the path is not a directory`),
    );
    const pipe = join(dir, "pipe");
    expect(spawnSync("mkfifo", ["-m", "600", pipe]).status).toBe(0);
    await expect(loadOrCreateIdentity(pipe)).rejects.toMatchObject(refusal(`${pipe} is not a file`));
  });

  test.skipIf(process.getuid?.() === 0)("no permission", async () => {
    await loadOrCreateIdentity(file);
    await chmod(file, 0);
    await expect(loadOrCreateIdentity(file)).rejects.toMatchObject(refusal(`cannot use ${file}: no permission`));
  });
});

test("the default path", () => {
  expect(defaultIdentityPath({ XDG_CONFIG_HOME: "/x" })).toBe("/x/awl/identity.json");
  const home = join(homedir(), ".config/awl/identity.json");
  expect([defaultIdentityPath({}), defaultIdentityPath({ XDG_CONFIG_HOME: "relative" })]).toEqual([home, home]);
});
