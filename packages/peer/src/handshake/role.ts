/** The listener printed the ticket, the connector was given it. */
export type Role = "listener" | "connector";

export function otherRole(role: Role): Role {
  return role === "listener" ? "connector" : "listener";
}
