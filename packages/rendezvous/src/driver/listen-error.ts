import { type Endpoint, formatEndpoint } from "@awl/wire";
import { RendezvousError } from "../errors.js";

/** What the operating system's refusal to bind means to the operator. */
export function listenError(transport: "udp" | "tcp", { address, port }: Endpoint, cause: unknown): RendezvousError {
  const where = `${transport} ${formatEndpoint({ address, port })}`;
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return new RendezvousError("port-in-use", `${where} is in use`, { cause });
    case "EADDRNOTAVAIL":
      return new RendezvousError("not-this-host", `${address} is not an address of this host`, { cause });
    case "EACCES":
    case "EPERM":
      return new RendezvousError("no-permission", `no permission to listen on ${where}`, { cause });
    default:
      return new RendezvousError("cannot-listen", `cannot listen on ${where}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
