import type { QueueAddress } from '../scanning/queue/address.ts';

/** Says that others see a password that stands in an address. */
export function toldOfPassword(address: QueueAddress): QueueAddress {
  if (address.hasPassword) {
    process.stderr.write(
      'Others on this machine see the password in the address among its processes: leave it out there, and put it into PGPASSWORD or ~/.pgpass.\n',
    );
  }
  return address;
}
