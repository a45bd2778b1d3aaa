-- An idempotency key of which a caller was told that nothing began with it, and
-- that nothing will.
CREATE TABLE fences (
	n           INTEGER PRIMARY KEY, -- the order in which they were told
	key         TEXT NOT NULL UNIQUE,
	merchant_id TEXT NOT NULL, -- whose terminal it was; empty where it had no name
	sum         BLOB NOT NULL CHECK (length(sum) = 16) -- of key and merchant
);
CREATE TRIGGER orders_fenced BEFORE INSERT ON orders
WHEN NEW.idempotency_key IS NOT NULL AND EXISTS (SELECT 1 FROM fences WHERE key = NEW.idempotency_key)
BEGIN SELECT RAISE(ABORT, 'fences: a caller was told that nothing began with this key'); END;
