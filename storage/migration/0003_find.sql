-- Orders are found by the end of their number: ours on a receipt, or the wallet's in
-- a customer's bill.
CREATE INDEX orders_number ON orders (substr(order_id, -6));
CREATE INDEX orders_channel ON orders (substr(json_extract(row, '$.bizpay_order_id'), -6));
