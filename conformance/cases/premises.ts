/** Which clauses' premises come about by themselves, for cases to list beside those that they are about. */

/** A client connects to the logical address and is answered. */
export const CONNECTS = ['EST-1', 'EST-2', 'EST-3', 'SWT-3', 'SWT-4'] as const;

/** A request is handed to a backend, served, and the connection returns to the controller. */
export const HANDS_OFF = [
  'REQ-1',
  'REQ-2',
  'REQ-6',
  'HOF-1',
  'HOF-2',
  'HOF-4',
  'SWT-1',
  'SWT-2',
  'SWT-5',
  'BKD-1',
  'BKD-6',
  'BKD-8',
  'BKD-9',
  'RET-1',
] as const;

/** The request is a read. */
export const READS = ['REQ-3', 'SWT-6', 'RET-2'] as const;

/** The request carries a payload that the backend receives. */
export const WRITES = ['REQ-4', 'BKD-2'] as const;
