-- Whose an order is: its merchant at the gateway, under whose key alone it can be asked
-- about. '' in orders of the forms before, and where nobody said.
ALTER TABLE orders ADD COLUMN merchant_id TEXT NOT NULL DEFAULT '';

-- Of which merchant, in which currency, the orders and Zs are that name none: a record
-- of the chain, about no order, that the first start with this form leaves. A file that
-- was made with it has none of them.
CREATE TABLE unnamed (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	seq INTEGER -- of the journal; NULL until that start
);
INSERT INTO unnamed SELECT 1, NULL WHERE EXISTS (SELECT 1 FROM orders) OR EXISTS (SELECT 1 FROM z);

-- A Z of which nobody knows yet whether its slip came out of the printer.
CREATE TABLE z_slip (
	number INTEGER PRIMARY KEY REFERENCES z (number)
);

-- One order id, one merchant, too.
DROP TRIGGER orders_binding;
CREATE TRIGGER orders_binding BEFORE UPDATE ON orders
WHEN NEW.order_id <> OLD.order_id OR NEW.kind <> OLD.kind OR NEW.mode <> OLD.mode
	OR NEW.amount_minor <> OLD.amount_minor OR NEW.tip_minor <> OLD.tip_minor OR NEW.currency <> OLD.currency
	OR (OLD.merchant_id <> '' AND NEW.merchant_id <> OLD.merchant_id)
	OR (OLD.wallet <> '' AND NEW.wallet <> OLD.wallet)
	OR (OLD.code_key IS NOT NULL AND NEW.code_key IS NOT OLD.code_key)
BEGIN SELECT RAISE(ABORT, 'binding: an order keeps its amount, currency, merchant, wallet, mode and code'); END;
