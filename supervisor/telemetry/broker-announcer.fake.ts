/** Announces a broker by mDNS from one address, for tests in network namespaces: `<address> <name>`. */
import { Bonjour, type ServiceConfig } from 'bonjour-service';

const [address = '', name = ''] = process.argv.slice(2);
const bonjour = new Bonjour({ interface: address, bind: '0.0.0.0' } as Partial<ServiceConfig>);
bonjour.publish({ name, type: 'mqtt', protocol: 'tcp', port: 1883, host: `${name}.local`, probe: false });
process.stdout.write('announced\n');
