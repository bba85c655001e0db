"""The mail that is measured with is the same for everybody, and what it says it is."""

from statistics import mean

from bench.letters import SMALL, known_customers, small, varied

from buzon.wire.reading import read

NUMBER = 1_500


def test_the_same_seed_gives_the_same_letters() -> None:
    assert list(varied(50, seed=7)) == list(varied(50, seed=7))
    assert list(small(50, seed=7)) == list(small(50, seed=7))
    assert list(small(50, seed=7)) != list(small(50, seed=8))


def test_varied_letters_are_62_kilobytes_in_the_mean_and_2_megabytes_at_most() -> None:
    sizes = [len(octets) for octets, _ in varied(NUMBER)]
    assert 50_000 < mean(sizes) < 75_000
    assert 1_000_000 < max(sizes) < 2_200_000
    assert min(sizes) < 3_000


def test_small_letters_are_2_kilobytes() -> None:
    sizes = [len(octets) for octets, _ in small(200)]
    assert min(sizes) >= SMALL
    assert max(sizes) < 1.3 * SMALL


def test_one_in_twenty_varied_letters_is_from_a_known_customer() -> None:
    known = set(known_customers())
    from_known = sum(
        octets.split(b"Return-Path: <")[1].split(b">")[0].decode() in known
        for octets, _ in varied(NUMBER)
    )
    assert 0.035 < from_known / NUMBER < 0.065


def test_every_letter_has_a_message_id_of_its_own_also_beside_other_seeds() -> None:
    letters = [*varied(100), *small(100, seed=1), *small(100, seed=2)]
    ids = [read(octets).message_id for octets, _ in letters]
    assert len(set(ids)) == len(ids)
    assert all(ids)


def test_letters_are_in_threads() -> None:
    readings = [read(octets) for octets, _ in varied(60)]
    ids = {reading.message_id for reading in readings}
    answers = [reading for reading in readings if reading.in_reply_to]
    assert len(answers) > 10
    assert all(set(reading.references) <= ids for reading in answers)
