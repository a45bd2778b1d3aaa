-- When a sale began, in UTC milliseconds, 0 when the clock was not set: what is
-- sold in a day is summed by it. It never changes, so a later commit of the same
-- order does not touch its index.
ALTER TABLE orders ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE orders SET at = CAST(round((julianday(json_extract(row, '$.created_at')) - 2440587.5) * 86400000) AS INTEGER)
	WHERE json_extract(row, '$.created_at') > '1970';
CREATE INDEX orders_at ON orders (at);

-- From here on a record about no order is an anchor or what a person did: who
-- signed on and off, whose PIN was refused, what a supervisor allowed. A version
-- that takes each of them for an anchor must not open the file.
