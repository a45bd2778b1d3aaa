-- The idempotency key of an order that was dropped, and what its caller is told of it.
CREATE TABLE keys (
	n   INTEGER PRIMARY KEY, -- the order in which they were dropped
	key TEXT NOT NULL UNIQUE,
	row TEXT NOT NULL, -- JSON
	sum BLOB NOT NULL CHECK (length(sum) = 16) -- of key and row
);
CREATE TRIGGER orders_key_kept BEFORE INSERT ON orders
WHEN NEW.idempotency_key IS NOT NULL AND EXISTS (SELECT 1 FROM keys WHERE key = NEW.idempotency_key)
BEGIN SELECT RAISE(ABORT, 'keys: this one is of an order that was dropped'); END;
