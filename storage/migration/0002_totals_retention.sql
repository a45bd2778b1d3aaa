-- A record now covers the order's row as it left it, so that damage to the row
-- shows. NULL in records of the form before.
ALTER TABLE journal ADD COLUMN state BLOB CHECK (state IS NULL OR length(state) = 32);

-- Day totals that were taken: numbers without gaps.
CREATE TABLE z (
	number INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL -- UTC milliseconds, 0 when the clock was not set
);
CREATE TRIGGER z_next BEFORE INSERT ON z
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM z)
BEGIN SELECT RAISE(ABORT, 'totals: Z numbers have no gaps'); END;
CREATE TRIGGER z_fixed BEFORE UPDATE ON z
BEGIN SELECT RAISE(ABORT, 'totals: a Z is not changed'); END;
CREATE TRIGGER z_kept BEFORE DELETE ON z
BEGIN SELECT RAISE(ABORT, 'totals: a Z is kept'); END;

-- Each final order is in exactly one Z.
ALTER TABLE orders ADD COLUMN z INTEGER REFERENCES z (number);
CREATE INDEX orders_z ON orders (z);
CREATE TRIGGER orders_z_once BEFORE UPDATE OF z ON orders
WHEN OLD.z IS NOT NULL AND NEW.z IS NOT OLD.z
BEGIN SELECT RAISE(ABORT, 'totals: an order is in one Z'); END;

-- Retention drops an order that is final, totalled, and asks nothing of anybody;
-- then its records; then the anchor before, which the newest one replaces.
DROP TRIGGER orders_kept;
CREATE TRIGGER orders_kept BEFORE DELETE ON orders
WHEN OLD.closed = 0 OR OLD.attention <> '' OR OLD.z IS NULL
	OR EXISTS (SELECT 1 FROM outbox WHERE order_id = OLD.order_id)
BEGIN SELECT RAISE(ABORT, 'orders are kept until they are final, totalled and settled'); END;
DROP TRIGGER journal_kept;
CREATE TRIGGER journal_kept BEFORE DELETE ON journal
WHEN EXISTS (SELECT 1 FROM orders WHERE order_id = OLD.order_id)
BEGIN SELECT RAISE(ABORT, 'records are kept as long as their order'); END;
