export { type AppendFile, type Disk, nodeDisk, type ReadFile } from './disk.ts';
export { Tsdb, type TsdbOptions, type TsdbStats } from './tsdb.ts';
