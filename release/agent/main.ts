// The light agent for the Node.js of Debian, which is older than ours. What that one lacks comes first.
import './older-node.ts';
import { main } from '../../supervisor/cli/jpeg-agent.ts';

process.exitCode = await main(process.argv.slice(2));
