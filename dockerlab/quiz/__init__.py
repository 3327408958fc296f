"""Predict first: cells of a lab's matrix asked before they are shown, and each wrong answer explained.

questions    which cells are asked: as many yes as no, and of every rule in turn
answers      how a person's answer is marked, and what is said of it
"""
