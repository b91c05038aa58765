import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TcpServer } from "./tcp.js";

const HOST = "127.0.0.1";
let server: TcpServer;
beforeAll(async () => {
  server = await TcpServer.listen({ address: HOST, port: 0 });
});
afterAll(() => server.close());

async function get(method: string, path: string) {
  const sent = request({ host: HOST, port: server.port, method, path, agent: false }).end();
  const [response] = await once(sent, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, type: response.headers["content-type"], body };
}

/** What the server says to these bytes before it hangs up, and after how many milliseconds that is. */
async function raw(bytes: string) {
  const start = performance.now();
  const socket = connect(server.port, HOST);
  socket.on("error", () => {});
  socket.write(bytes);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  await once(socket, "close");
  return { answer, elapsedMs: performance.now() - start };
}

describe("the HTTP side", () => {
  test("GET /healthz", async () => {
    expect(await get("GET", "/healthz")).toEqual({ status: 200, type: "application/json", body: '{"status":"ok"}' });
  });

  test("HEAD /healthz", async () => {
    expect(await get("HEAD", "/healthz")).toEqual({ status: 200, type: "application/json", body: "" });
  });

  test.each([
    ["GET", "/"],
    ["POST", "/healthz"],
    ["GET", "/healthz/x"],
    ["DELETE", "/metrics"],
  ])("%s %s is 404", async (method, path) => {
    expect(await get(method, path)).toMatchObject({ status: 404, type: "application/json" });
  });

  test("headers above 4 KiB are refused", async () => {
    const { answer } = await raw(`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(8192)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("headers that do not end are cut off", { timeout: 10_000 }, async () => {
    const { answer, elapsedMs } = await raw("GET /healthz HTTP/1.1\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(elapsedMs).toBeLessThan(6000);
  });

  test("what is no HTTP is refused", async () => {
    expect((await raw("\0\x01\0\0!\x12\xa4B")).answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("open connections do not keep it from closing", async () => {
    const other = await TcpServer.listen({ address: HOST, port: 0 });
    const idle = connect(other.port, HOST);
    idle.on("error", () => {});
    await once(idle, "connect");
    const closed = once(idle, "close");
    await other.close();
    await closed;
  });
});
