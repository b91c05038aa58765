/** Frame types, with the numbers of RFC 9000 section 19 and RFC 9221 section 4. */
export const FrameType = {
  Padding: 0x00,
  Ping: 0x01,
  Ack: 0x02,
  ResetStream: 0x04,
  StopSending: 0x05,
  /** 0x08 to 0x0f: the three lowest bits are `StreamBit`s. */
  Stream: 0x08,
  MaxData: 0x10,
  MaxStreamData: 0x11,
  MaxStreams: 0x12,
  /** The transport's own reasons. */
  Close: 0x1c,
  /** The application's. */
  CloseApplication: 0x1d,
  Datagram: 0x30,
  DatagramWithLength: 0x31,
} as const;

/** What a STREAM frame's type says beside being one (RFC 9000 section 19.8). */
export const StreamBit = { Fin: 0x01, Length: 0x02, Offset: 0x04 } as const;

/** An ACK frame counts delay in units of so many milliseconds: 2^3 microseconds (RFC 9000 section 18.2, ack_delay_exponent). */
export const ACK_DELAY_UNIT_MS = 0.008;
