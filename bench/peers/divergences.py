"""The deliberate divergences from event-ruler of docs/patterns.md, each with its proof.

A proof is a remedy: the rule and the event said in another way that means the same and leaves out
what event-ruler stumbles over. It explains a difference if we answer as before and event-ruler then
answers as we do. Rules and events are kept as they are written: numbers by their text, members in
their order, equal names beside each other.
"""
import itertools
import json
import re


class Number(str):
    """As it is spelled."""


class Members(list):
    """Of an object: pairs of name and value."""


def parse(text):
    return json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=Members)


def write(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Members):
        return "{" + ",".join(f"{write(name)}:{write(member)}" for name, member in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def rewritten(value, scalar=lambda scalar: scalar, name=lambda name: name):
    """With every scalar and every name replaced."""
    if isinstance(value, Members):
        return Members((name(key), rewritten(member, scalar, name)) for key, member in value)
    if isinstance(value, list):
        return [rewritten(member, scalar, name) for member in value]
    return scalar(value)


def texts(change):
    """Replaces strings and leaves numbers and words."""
    return lambda scalar: (change(scalar) if isinstance(scalar, str)
                           and not isinstance(scalar, Number) else scalar)


def name_the_empty(rule, event):
    def named(name):
        return ".".join(part or "!" for part in name.split("."))  # Sorts before all others too.
    return [rewritten(rule, name=named)], rewritten(event, name=named)


# Neighbours that JDK 17 prints as they are written; those that compare stay in their order.
PLAIN = {"2e23": "2e22", "1e23": "1e22", "5e-324": "5e-300", "4.9e-324": "1e-399"}


def leave_the_edge(rule, event):
    def plain(scalar):
        return Number(PLAIN.get(scalar, scalar)) if isinstance(scalar, Number) else scalar
    return [rewritten(rule, plain)], rewritten(event, plain)


ADDRESS = re.compile(r"\d+(\.\d+){3}|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]+")


def spell_addresses(rule, event):
    """A wildcard without a star is the text, and never an address."""
    def is_address(value):
        return isinstance(value, str) and ADDRESS.fullmatch(value)

    def wildcard(value):
        return Members([("wildcard", value)])

    def condition(value):
        if is_address(value):
            return wildcard(value)
        if isinstance(value, Members) and value[0][0] == "anything-but":
            but = value[0][1]
            listed = but if isinstance(but, list) and not isinstance(but, Members) else [but]
            if any(map(is_address, listed)):
                escaped = [re.sub(r"([*\\])", r"\\\1", one) for one in listed]
                return Members([("anything-but", wildcard(escaped))])
        return value
    return [conditions(rule, condition)], event


def conditions(value, change):
    """A rule with each of its fields' conditions replaced."""
    if isinstance(value, Members):
        return Members((name, conditions(member, change)) for name, member in value)
    if any(isinstance(one, Members) and is_branch(one) for one in value):
        return [conditions(branch, change) for branch in value]
    return [change(one) for one in value]


OPERATORS = {"exactly", "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but",
             "numeric", "cidr", "exists"}


def is_branch(members):
    return members[0][0] not in OPERATORS


def leave_quotes(rule, event):
    def letter(text):
        return text.replace('"', "q")
    return [rewritten(rule, texts(letter))], rewritten(event, texts(letter))


def leave_large_characters(rule, event):
    def small(text):
        return text.replace("😀", "字")
    return [rewritten(rule, texts(small))], rewritten(event, texts(small))


def alternatives(rule, prefix="", rest=None):
    """A rule without `$or`: lists of conditions by path, of which one list fits. What comes later
    takes the place of what stands before it."""
    found = [dict(rest or {})]
    for name, member in rule:
        if name == "$or":
            found = [more for one in found for branch in member
                     for more in alternatives(branch, prefix, one)]
        elif isinstance(member, Members):
            found = [more for one in found
                     for more in alternatives(member, f"{prefix}{name}.", one)]
        else:
            for one in found:
                one[prefix + name] = member
    return found


def branches_apart(rule, event):
    """One rule for each combination of the branches of `$or`."""
    return [Members(one.items()) for one in alternatives(rule)], event


def conditions_apart(rule, event):
    """One rule for each choice of a condition in every field: none stands beside another."""
    return [Members((path, [condition]) for path, condition in zip(one, choice))
            for one in alternatives(rule) for choice in itertools.product(*one.values())], event


REMEDIES = {
    "names that are empty": name_the_empty,
    "numbers at the edge of a double": leave_the_edge,
    "addresses as plain values": spell_addresses,
    "quotes in prefixes and suffixes": leave_quotes,
    "ignoring case beyond U+FFFF": leave_large_characters,
    "branches of a rule that change each other's answers": branches_apart,
    "conditions of a field that change each other's answers": conditions_apart,
}
MOST_RULES = 3000


def remedied(names, rule, event):
    """The rules, of which one is to match, and the event, with the remedies of all `names`; None if
    they change nothing or make too many rules."""
    rules, event = [parse(rule)], parse(event)
    for name in names:
        before = rules
        told = [REMEDIES[name](rule, event) for rule in rules]
        rules = [one for some, _ in told for one in some]
        if (rules == before and told[0][1] == event) or len(rules) > MOST_RULES:
            return None
        event = told[0][1]
    return [write(rule) for rule in rules], write(event)


def explain(differences, ask_ours, ask_theirs):
    """For each (rule, event, our answer): the names of the divergences that explain it, or None.
    `ask_*` take pairs of a rule and an event and tell the answers."""
    found = [None] * len(differences)
    combined = [*itertools.combinations(REMEDIES, 1), *itertools.combinations(REMEDIES, 2),
                *itertools.combinations(REMEDIES, 3)]
    for names in combined:
        open_ones = []
        for index, (rule, event, _) in enumerate(differences):
            if found[index] is None and (said := remedied(names, rule, event)):
                open_ones.append((index, said))
        asked = [(rule, event) for _, (rules, event) in open_ones for rule in rules]
        if not asked:
            continue
        answers = iter(zip(ask_ours(asked), ask_theirs(asked), strict=True))
        for index, (rules, _) in open_ones:
            ours, theirs = zip(*itertools.islice(answers, len(rules)))
            if any_of(ours) == any_of(theirs) == differences[index][2]:
                found[index] = names
    return found


def any_of(answers):
    """Of rules of which one is to match: known although another's answer varies."""
    return "true" if "true" in answers else "false" if set(answers) == {"false"} else "unknown"
