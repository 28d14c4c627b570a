export {
  endpoints as remoteEndpoints,
  type RemoteReadConfig,
  type RemoteWriteConfig,
  remoteReadSchema,
  remoteWriteSchema,
} from './config.ts';
export { Endpoint, type ForwarderOptions } from './endpoint.ts';
export { Forwarder } from './forwarder.ts';
