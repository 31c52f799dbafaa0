"""Figures: scores, intervals, periods, reports and exports."""
