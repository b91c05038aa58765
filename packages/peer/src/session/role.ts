/** Who printed the ticket, and who holds it. The connector controls: it nominates the pair to use (RFC 8445 section 6.1.1). */
export type Role = "listener" | "connector";
