-- Time that the terminal has lived through, in nanoseconds: from here on the monotonic
-- time of a record goes on from life to life. What a start has come to is written down
-- now and then, with the last record at that time; NULL in starts whose records count
-- from their own beginning.
ALTER TABLE boot ADD COLUMN lived INTEGER;
ALTER TABLE boot ADD COLUMN seq INTEGER; -- of the journal
-- It begins with the newest record of the last start that has any: the times of the
-- orders that are open are in its terms, since it made them anew when it took them up.
UPDATE boot SET seq = (SELECT max(seq) FROM journal),
		lived = (SELECT max(mono) FROM journal WHERE seq > coalesce((
			SELECT seq FROM journal WHERE mono > 0 AND boot <> tag ORDER BY seq DESC LIMIT 1), 0))
	WHERE tag = (SELECT boot FROM journal WHERE mono > 0 ORDER BY seq DESC LIMIT 1);

-- What had been lived through when a Z was taken. For those of before the time begins now.
ALTER TABLE z ADD COLUMN lived INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER z_fixed;
UPDATE z SET lived = coalesce((SELECT max(lived) FROM boot), 0);
CREATE TRIGGER z_fixed BEFORE UPDATE ON z
BEGIN SELECT RAISE(ABORT, 'totals: a Z is not changed'); END;
