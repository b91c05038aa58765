/** IPv4 addresses that no client may have us send to. */
const IPV4 = [
  ..."0.0.0.0 0.0.0.1 0.255.255.255".split(" "),
  ..."10.0.0.1 10.1.2.3 10.255.255.255 172.16.0.1 172.31.255.254 192.168.0.1 192.168.255.254".split(" "),
  ..."100.64.0.1 100.100.100.200 100.127.255.254".split(" "),
  ..."127.0.0.1 127.0.0.53 127.1.2.3 127.255.255.254".split(" "),
  ..."169.254.0.1 169.254.169.254 169.254.170.2 169.254.255.254".split(" "),
  ..."192.0.0.1 192.0.0.170 192.0.0.192 192.0.2.1 198.51.100.1 203.0.113.1 192.88.99.1".split(" "),
  ..."198.18.0.1 198.19.255.254 224.0.0.1 224.0.0.251 239.255.255.250 232.1.1.1".split(" "),
  ..."240.0.0.1 255.255.255.254 255.255.255.255".split(" "),
];

/** IPv6 addresses of the same kind. */
const IPV6 = [
  ...":: ::1 ::2 fe80::1 fe80::a00:27ff:fe00:1 febf::1 fec0::1 fc00::1 fd00:ec2::254 fdff::1".split(" "),
  ..."ff01::1 ff02::1 ff02::fb ff05::1:3 ff0e::1 2001:db8::1 3fff::1 3fff:fff::1 100::1 5f00::1".split(" "),
  ..."2001::1 2001:2::1 2001:10::1 2001:20::1 2002::1 64:ff9b::1 64:ff9b:1::1 4000::1 8000::1 e000::1".split(" "),
];

const hex = (a = 0, b = 0): string => (a * 256 + b).toString(16);

/** The ways in which an IPv4 address hides in an IPv6 one. */
const FORMS: readonly ((ipv4: string, high: string, low: string) => string)[] = [
  (ipv4) => `::ffff:${ipv4}`,
  (ipv4) => `::ffff:0:${ipv4}`,
  (ipv4) => `::${ipv4}`,
  (ipv4) => `64:ff9b::${ipv4}`,
  (ipv4) => `64:ff9b:1::${ipv4}`,
  (_, high, low) => `2002:${high}:${low}::1`,
  (_, high, low) => `2001:0:808:808::${inverted(high)}:${inverted(low)}`,
  (ipv4) => `2a00:1450::200:5efe:${ipv4}`,
];

const HIDDEN =
  "0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.0.0.53 169.254.169.254 172.16.0.1 192.168.1.1 192.0.2.1 192.0.0.192 198.18.0.1 203.0.113.9 240.0.0.1 224.0.0.1 255.255.255.255".split(
    " ",
  );

/** Well over 200 addresses, each of which must be refused, whatever the path. */
export const DENIED: readonly string[] = unique([
  ...IPV4,
  ...IPV4.map((ipv4) => `::ffff:${ipv4}`),
  ...IPV6,
  ...HIDDEN.flatMap((ipv4) => {
    const [a, b, c, d] = ipv4.split(".").map(Number);
    return FORMS.map((form) => form(ipv4, hex(a, b), hex(c, d)));
  }),
]);

function unique(addresses: readonly string[]): string[] {
  return [...new Set(addresses)];
}

function inverted(group: string): string {
  return (Number.parseInt(group, 16) ^ 0xffff).toString(16);
}
