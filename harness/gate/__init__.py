"""The CI decision: may this change to the contracts be merged, and whom does it break?

``decision`` judges what git says changed; ``judging`` judges one pair with everything the user
chose and is what ``driftgate diff`` uses too. Nothing is imported here: a comparison of two small
files must not pay for the gate's git and document checks when it starts.
"""
