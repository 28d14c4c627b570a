/** Logs in ClickHouse. */
export {};
