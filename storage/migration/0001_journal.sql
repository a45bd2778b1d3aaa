-- Each start of the agent draws a tag; an order id holds the tag of its start.
CREATE TABLE boot (
	tag TEXT PRIMARY KEY CHECK (length(tag) = 5),
	at  INTEGER NOT NULL -- UTC milliseconds, 0 when the clock was not set
) WITHOUT ROWID;

-- The orders as people and programs see them. row is the whole as JSON; the
-- columns are what is searched by or guarded.
CREATE TABLE orders (
	n               INTEGER PRIMARY KEY, -- the order in which they began
	order_id        TEXT NOT NULL UNIQUE,
	closed          INTEGER NOT NULL,
	outcome         TEXT NOT NULL,
	attention       TEXT NOT NULL,
	kind            TEXT NOT NULL,
	mode            TEXT NOT NULL,
	wallet          TEXT NOT NULL,
	amount_minor    INTEGER NOT NULL CHECK (amount_minor >= 0),
	tip_minor       INTEGER NOT NULL CHECK (tip_minor >= 0),
	paid_minor      INTEGER NOT NULL CHECK (paid_minor >= 0),
	currency        TEXT NOT NULL,
	idempotency_key TEXT,
	code_key        TEXT, -- keyed hash of the customer's payment code
	row             TEXT NOT NULL
);
CREATE INDEX orders_open ON orders (n) WHERE closed = 0;
CREATE INDEX orders_attention ON orders (attention) WHERE attention <> '';
CREATE UNIQUE INDEX orders_key ON orders (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX orders_code ON orders (code_key) WHERE code_key IS NOT NULL;

-- One order id, one amount, currency, mode, wallet and code, for ever.
CREATE TRIGGER orders_binding BEFORE UPDATE ON orders
WHEN NEW.order_id <> OLD.order_id OR NEW.kind <> OLD.kind OR NEW.mode <> OLD.mode
	OR NEW.amount_minor <> OLD.amount_minor OR NEW.tip_minor <> OLD.tip_minor OR NEW.currency <> OLD.currency
	OR (OLD.wallet <> '' AND NEW.wallet <> OLD.wallet)
	OR (OLD.code_key IS NOT NULL AND NEW.code_key IS NOT OLD.code_key)
BEGIN SELECT RAISE(ABORT, 'binding: an order keeps its amount, currency, wallet, mode and code'); END;

-- What was paid stays paid.
CREATE TRIGGER orders_monotone BEFORE UPDATE ON orders
WHEN (OLD.outcome = 'approved' AND NEW.outcome <> 'approved') OR NEW.paid_minor < OLD.paid_minor
BEGIN SELECT RAISE(ABORT, 'monotone: an approved order stays approved'); END;
CREATE TRIGGER orders_kept BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'orders are kept'); END;

-- The journal. hash covers the record and the hash of the one before.
CREATE TABLE journal (
	seq      INTEGER PRIMARY KEY,
	order_id TEXT NOT NULL,
	event    TEXT NOT NULL,
	body     TEXT NOT NULL,
	boot     TEXT NOT NULL,
	mono     INTEGER NOT NULL, -- nanoseconds since that start
	wall     INTEGER NOT NULL, -- UTC milliseconds, 0 when the clock was not set
	hash     BLOB NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX journal_order ON journal (order_id, seq);
CREATE TRIGGER journal_fixed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_kept BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- The outbox: what the network still owes.
CREATE TABLE outbox (
	order_id TEXT PRIMARY KEY,
	task     TEXT NOT NULL,
	since    INTEGER NOT NULL
) WITHOUT ROWID;

-- Written to find out whether the file can be written.
CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL);
INSERT INTO probe VALUES (1, 0);
