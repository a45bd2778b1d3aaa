-- A Z is a record of the chain, about no order: what it said when it was taken, the
-- orders that it carried over among that. NULL in Zs of the forms before.
ALTER TABLE z ADD COLUMN seq INTEGER; -- of the journal

-- An order that ended unpaid adds nothing to its Z. When it turns out to be paid
-- after all it leaves that Z, whose sums stay, for the next one. One that is paid
-- never leaves.
DROP TRIGGER orders_z_once;
CREATE TRIGGER orders_z_once BEFORE UPDATE OF z ON orders
WHEN OLD.z IS NOT NULL AND NEW.z IS NOT OLD.z AND (NEW.z IS NOT NULL OR OLD.outcome = 'approved')
BEGIN SELECT RAISE(ABORT, 'totals: an order is in one Z'); END;
