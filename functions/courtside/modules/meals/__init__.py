"""Canteens, menus and meal orders: what a kitchen offers, what diners take, what it costs.

Portions, subsidies and wallets are accounts; an order moves them all in one transaction.
"""
