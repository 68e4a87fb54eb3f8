/**
 * A DVD rental shop in the shape of the Pagila sample database: the same tables, keys, partitions, triggers
 * and numbers of rows. The rows themselves are made up, by a generator with a seed: the same each time.
 */
export const CREATE_SQL = `
CREATE FUNCTION last_updated() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.last_update := now(); RETURN NEW; END $$;
CREATE FUNCTION film_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.fulltext := to_tsvector('english', NEW.title || ' ' || coalesce(NEW.description, '')); RETURN NEW; END $$;
CREATE TABLE language (language_id serial PRIMARY KEY, name text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE category (category_id serial PRIMARY KEY, name text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE actor (actor_id serial PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE country (country_id serial PRIMARY KEY, country text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE city (city_id serial PRIMARY KEY, city text NOT NULL, country_id int NOT NULL REFERENCES country ON UPDATE CASCADE, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE address (address_id serial PRIMARY KEY, address text NOT NULL, district text NOT NULL, city_id int NOT NULL REFERENCES city ON UPDATE CASCADE,
  postal_code text, phone text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE store (store_id serial PRIMARY KEY, address_id int NOT NULL REFERENCES address ON UPDATE CASCADE, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE staff (staff_id serial PRIMARY KEY, username text NOT NULL, store_id int NOT NULL REFERENCES store, address_id int NOT NULL REFERENCES address,
  active boolean NOT NULL DEFAULT true, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE customer (customer_id serial PRIMARY KEY, store_id int NOT NULL REFERENCES store ON UPDATE CASCADE, first_name text NOT NULL, last_name text NOT NULL,
  email text UNIQUE, address_id int NOT NULL REFERENCES address ON UPDATE CASCADE, activebool boolean NOT NULL DEFAULT true,
  create_date date NOT NULL DEFAULT current_date, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE film (film_id serial PRIMARY KEY, title text NOT NULL, description text, release_year int, language_id int NOT NULL REFERENCES language,
  rental_duration int NOT NULL DEFAULT 3, rental_rate numeric(4,2) NOT NULL DEFAULT 4.99, length int, replacement_cost numeric(5,2) NOT NULL DEFAULT 19.99,
  rating text NOT NULL DEFAULT 'G', last_update timestamptz NOT NULL DEFAULT now(), fulltext tsvector);
CREATE TABLE film_actor (actor_id int NOT NULL REFERENCES actor, film_id int NOT NULL REFERENCES film, last_update timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (actor_id, film_id));
CREATE TABLE film_category (film_id int NOT NULL REFERENCES film, category_id int NOT NULL REFERENCES category, last_update timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (film_id, category_id));
CREATE TABLE inventory (inventory_id serial PRIMARY KEY, film_id int NOT NULL REFERENCES film, store_id int NOT NULL REFERENCES store, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE rental (rental_id serial PRIMARY KEY, rental_date timestamptz NOT NULL, inventory_id int NOT NULL REFERENCES inventory ON UPDATE CASCADE,
  customer_id int NOT NULL REFERENCES customer ON UPDATE CASCADE, return_date timestamptz, staff_id int NOT NULL REFERENCES staff, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE payment (payment_id serial, customer_id int NOT NULL REFERENCES customer, staff_id int NOT NULL REFERENCES staff, rental_id int NOT NULL REFERENCES rental,
  amount numeric(5,2) NOT NULL, payment_date timestamptz NOT NULL, PRIMARY KEY (payment_date, payment_id)) PARTITION BY RANGE (payment_date);
CREATE INDEX ON inventory (film_id, store_id);
CREATE INDEX ON rental (customer_id);
CREATE INDEX ON rental (inventory_id);
CREATE INDEX ON payment (customer_id);
CREATE INDEX ON payment (rental_id);
CREATE INDEX ON payment (payment_id);
CREATE INDEX ON film USING gin (fulltext);
CREATE VIEW customer_list AS SELECT c.customer_id AS id, c.first_name || ' ' || c.last_name AS name, a.address, a.postal_code, a.phone, ci.city, co.country, c.store_id
  FROM customer AS c JOIN address AS a USING (address_id) JOIN city AS ci USING (city_id) JOIN country AS co USING (country_id);
DO $$
DECLARE t text;
BEGIN
  FOR m IN 1..7 LOOP
    EXECUTE format('CREATE TABLE payment_2022_%s PARTITION OF payment FOR VALUES FROM (%L) TO (%L)', m, make_date(2022, m, 1), make_date(2022, m + 1, 1));
  END LOOP;
  CREATE TABLE payment_later PARTITION OF payment DEFAULT;
  FOREACH t IN ARRAY ARRAY['language', 'category', 'actor', 'country', 'city', 'address', 'store', 'staff', 'customer', 'film', 'film_actor', 'film_category', 'inventory', 'rental'] LOOP
    EXECUTE format('CREATE TRIGGER last_updated BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION last_updated()', t);
  END LOOP;
END $$;
CREATE TRIGGER film_words BEFORE INSERT OR UPDATE ON film FOR EACH ROW EXECUTE FUNCTION film_words();
GRANT ALL ON ALL TABLES IN SCHEMA public TO APP;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO APP;
`

/** As many rows as Pagila has. \`SEED\` in it is the seed, a whole number. */
export const FILL_SQL = `
CREATE FUNCTION pick(salt int, n int, among int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1 + abs(hashint8(n::bigint * 1000003 + salt * 7919 + SEED) % among)';
CREATE FUNCTION word(salt int, n int) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT initcap(string_agg(substr('bcdfghklmnprstvz', pick(salt + i, n, 16), 1) || substr('aeiou', pick(salt + 50 + i, n, 5), 1), '')) FROM generate_series(1, 2 + pick(salt, n, 2)) AS i $$;
INSERT INTO language (name) SELECT word(1, g) FROM generate_series(1, 6) g;
INSERT INTO category (name) SELECT word(2, g) FROM generate_series(1, 16) g;
INSERT INTO actor (first_name, last_name) SELECT word(3, g), word(4, g) FROM generate_series(1, 200) g;
INSERT INTO country (country) SELECT word(5, g) FROM generate_series(1, 109) g;
INSERT INTO city (city, country_id) SELECT word(6, g), pick(6, g, 109) FROM generate_series(1, 600) g;
INSERT INTO address (address, district, city_id, postal_code, phone)
  SELECT pick(7, g, 1999) || ' ' || word(7, g) || ' Street', word(8, g), pick(8, g, 600), (10000 + pick(9, g, 89999))::text, '555' || (100000 + pick(10, g, 899999)) FROM generate_series(1, 603) g;
INSERT INTO store (address_id) VALUES (1), (2);
INSERT INTO staff (username, store_id, address_id) VALUES ('mira', 1, 3), ('jon', 2, 4);
INSERT INTO customer (store_id, first_name, last_name, email, address_id, create_date)
  SELECT pick(11, g, 2), word(11, g), word(12, g), 'customer' || g || '@shop.example', 4 + g, date '2022-01-01' FROM generate_series(1, 599) g;
INSERT INTO film (title, description, release_year, language_id, rental_duration, rental_rate, length, replacement_cost, rating)
  SELECT word(13, g) || ' ' || word(14, g), 'A story of ' || word(15, g) || ' and ' || word(16, g), 1990 + pick(17, g, 30), pick(18, g, 6), 2 + pick(19, g, 5),
    (ARRAY[0.99, 2.99, 4.99])[pick(20, g, 3)], 45 + pick(21, g, 140), 8.99 + pick(22, g, 20), (ARRAY['G', 'PG', 'PG-13', 'R', 'NC-17'])[pick(23, g, 5)] FROM generate_series(1, 1000) g;
INSERT INTO film_actor (film_id, actor_id) SELECT DISTINCT 1 + g % 1000, pick(24, g, 200) FROM generate_series(1, 5540) g LIMIT 5462;
INSERT INTO film_category (film_id, category_id) SELECT g, pick(25, g, 16) FROM generate_series(1, 1000) g;
INSERT INTO inventory (film_id, store_id) SELECT 1 + g % 1000, pick(26, g, 2) FROM generate_series(1, 4581) g;
INSERT INTO rental (rental_date, inventory_id, customer_id, return_date, staff_id)
  SELECT d, pick(28, g, 4500), pick(29, g, 599), CASE WHEN g <= 15861 THEN d + pick(30, g, 9) * interval '1 day' END, pick(31, g, 2)
  FROM generate_series(1, 16044) g, LATERAL (SELECT timestamptz '2022-01-01 08:00+00' + g * interval '18 minutes') AS t (d);
INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date)
  SELECT r.customer_id, r.staff_id, r.rental_id, f.rental_rate, r.rental_date + interval '1 minute' FROM rental r JOIN inventory i USING (inventory_id) JOIN film f USING (film_id) ORDER BY r.rental_id;
INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date) SELECT customer_id, staff_id, rental_id, 1, rental_date + interval '2 minutes' FROM rental WHERE rental_id <= 5;
DROP FUNCTION word, pick;
ANALYZE;
`
