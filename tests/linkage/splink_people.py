#!/usr/bin/env python3
"""The peer: Splink 5 on DuckDB over the file that gen_people.py writes, tuned as well as we know how.

usage: splink_people.py PEOPLE.csv

Joint address (its parts move together), term frequencies of names and places, typed levels of dates, swapped names as a level of their
own, the telephone's chance agreement fixed. Unsupervised as `kaname bench link` is; the truth is read afterwards, to keep score. Its
threshold is not chosen by itself: the best of all is shown, which flatters it.
"""
import json, resource, sys, time

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

started = time.time()
connection = duckdb.connect()
people = connection.sql(
    f"""SELECT id AS unique_id, entity, nullif(given, '') AS given, nullif(middle, '') AS middle, nullif(surname, '') AS surname,
        nullif(dob, '') AS dob, nullif(sex, '') AS sex, nullif(birthplace, '') AS birthplace, nullif(street_no, '') AS street_no,
        nullif(street, '') AS street, nullif(town, '') AS town, nullif(postcode, '') AS postcode, nullif(phone, '') AS phone
        FROM read_csv('{sys.argv[1]}', header = true, all_varchar = true)"""
).df()

null = cll.NullLevel
other = cll.ElseLevel


def custom(sql, label=None):
    return cll.CustomLevel(sql, label)


def name(column, swapped_with=None):
    levels = [null(column), cll.ExactMatchLevel(column, term_frequency_adjustments=True)]
    if swapped_with:
        levels.append(custom(f"{column}_l = {swapped_with}_r AND {column}_r = {swapped_with}_l", "swapped"))
    levels += [
        cll.DamerauLevenshteinLevel(column, 1),
        cll.JaroWinklerLevel(column, 0.92),
        custom(f"starts_with({column}_l, {column}_r) OR starts_with({column}_r, {column}_l)", "short"),
        cll.JaroWinklerLevel(column, 0.85),
        other(),
    ]
    return cl.CustomComparison(levels, output_column_name=column)


def part(of, start, length):
    return f"substr({of}, {start}, {length})"


year, month, day = ([part(f"dob_{side}", *at) for side in "lr"] for at in [(1, 4), (6, 2), (9, 2)])
born = cl.CustomComparison(
    [
        null("dob"),
        cll.ExactMatchLevel("dob"),
        custom(f"{year[0]} = {year[1]} AND {month[0]} = {day[1]} AND {day[0]} = {month[1]}", "day and month swapped"),
        custom(f"{month[0]} = {month[1]} AND {day[0]} = {day[1]} AND abs(CAST({year[0]} AS INT) - CAST({year[1]} AS INT)) IN (1, 10)", "year slip"),
        custom(f"{year[0]} = {year[1]} AND ({month[0]} = {month[1]} OR {day[0]} = {day[1]})", "month or day"),
        custom(f"{year[0]} = {year[1]}", "year"),
        other(),
    ],
    output_column_name="dob",
)
address = cl.CustomComparison(
    [
        custom("street_l IS NULL OR street_r IS NULL OR town_l IS NULL OR town_r IS NULL", "missing").configure(is_null_level=True),
        custom("street_l = street_r AND street_no_l = street_no_r AND town_l = town_r", "same door"),
        custom("damerau_levenshtein(street_l, street_r) <= 2 AND street_no_l = street_no_r AND town_l = town_r", "street slip"),
        custom("street_l = street_r AND town_l = town_r", "same street"),
        custom("postcode_l = postcode_r", "postcode"),
        custom("town_l = town_r", "town"),
        other(),
    ],
    output_column_name="address",
)
phone = cl.CustomComparison(
    [
        null("phone"),
        cll.ExactMatchLevel("phone").configure(u_probability=1e-8, fix_u_probability=True),
        other(),
    ],
    output_column_name="phone",
)
place = cl.CustomComparison(
    [
        null("birthplace"),
        cll.ExactMatchLevel("birthplace", term_frequency_adjustments=True),
        cll.DamerauLevenshteinLevel("birthplace", 1),
        other(),
    ],
    output_column_name="birthplace",
)
middle = cl.CustomComparison(
    [
        null("middle"),
        cll.ExactMatchLevel("middle", term_frequency_adjustments=True),
        custom("substr(middle_l, 1, 1) = substr(middle_r, 1, 1)", "initial"),
        other(),
    ],
    output_column_name="middle",
)

settings = SettingsCreator(
    link_type="dedupe_only",
    comparisons=[name("given", "surname"), name("surname"), middle, born, cl.ExactMatch("sex"), place, address, phone],
    blocking_rules_to_generate_predictions=[
        block_on("dob", "surname"),
        block_on("dob", "given"),
        block_on("given", "surname"),
        block_on("phone"),
        block_on("street_no", "street", "town"),
        block_on("dob", "postcode"),
        block_on("dob", "birthplace"),
        block_on("given", "postcode", "sex"),
        "l.given = r.surname AND l.surname = r.given",
    ],
    retain_matching_columns=False,
    probability_two_random_records_match=1e-7,
    additional_columns_to_retain=["entity"],
)
api = DuckDBAPI(connection=connection)
linker = Linker(api.register(people), settings)
linker.training.estimate_u_using_random_sampling(max_pairs=float(sys.argv[2]) if len(sys.argv) > 2 else 2e7, seed=1)
for rule in [block_on("dob", "surname"), block_on("given", "surname"), block_on("phone")]:
    linker.training.estimate_parameters_using_expectation_maximisation(rule)
pairs = linker.inference.predict(threshold_match_weight=-5)
scored = connection.sql(
    f"SELECT match_weight AS weight, entity_l = entity_r AS is_right FROM {pairs.physical_name} ORDER BY match_weight DESC"
).fetchnumpy()
usage = resource.getrusage(resource.RUSAGE_SELF)
wall = time.time() - started

total = connection.sql("SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM people GROUP BY entity)").fetchall()[0][0]
right, best, recall_at_99 = 0, (0, 0), 0
for place_in_order, (weight, is_right) in enumerate(zip(scored["weight"], scored["is_right"]), 1):
    right += int(is_right)
    precision, recall = right / place_in_order, right / total
    if right:
        best = max(best, (2 * precision * recall / (precision + recall), float(weight)))
    if precision >= 0.99:
        recall_at_99 = max(recall_at_99, recall)
print(json.dumps({
    "bench": "splink", "records": len(people), "compared": len(scored["weight"]), "true_pairs": int(total),
    "wall_seconds": round(wall, 1), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
    "peak_memory_mib": usage.ru_maxrss // 1024, "best_f1": round(best[0], 4), "at_weight": round(best[1], 1),
    "recall_at_precision_99": round(recall_at_99, 4),
}, indent=2))
