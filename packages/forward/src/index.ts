export {
  endpoints as remoteEndpoints,
  type RemoteReadConfig,
  type RemoteWriteConfig,
  remoteReadSchema,
  remoteWriteSchema,
  shownUrl,
} from './config.ts';
export { Endpoint, type ForwarderOptions } from './endpoint.ts';
export { Forwarder } from './forwarder.ts';
export { READ_REQUEST_BYTES_MAX } from './limits.ts';
export { MergedQuerier } from './read/mergedQuerier.ts';
export { type ReadAnswer, ReadServer } from './read/readServer.ts';
export { RemoteReader } from './read/remoteReader.ts';
