"""One instance of a lab for every student: a class brought up, graded, and taken down at a time.

roster       who the students are: from a CSV file, or a number
subnets      from where the instances' subnets come, and where each of a lab's addresses moves
instance     a lab and a student to the student's lab, and what of a lab cannot be had more than once
placement    which instance is on which of the given hosts
provision    all instances made, and taken away
grading      all instances verified, and the grades
as_…         one file for each form of the grades
"""
