/** Logs in ClickHouse: embedded, or a server's. */
export { type Columnar, type ColumnarOptions, openColumnar } from './columnar.ts';
export type { LogRetention, LogRetentionRule } from './retention.ts';
export type { ColumnarStatus, ServiceUsage } from './status.ts';
export { SQL_FORMATS, type SqlFormat, type UserSqlRequest } from './userSql.ts';
