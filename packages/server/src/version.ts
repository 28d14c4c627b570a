/** The version that every header, page and metric shows. */
export const VERSION = '0.1.0';
